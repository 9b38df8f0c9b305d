// Pasted Markdown becomes HTML, which the editor's parser then reads like any other paste.

const SIGNS = [/^#{1,6} \S/m, /^\s*[-*+] \S/m, /^\s*\d+\. \S/m, /^```/m, /^> \S/m, /^\|.+\|\s*$/m, /\*\*[^*\n]+\*\*/, /\[[^\]\n]+\]\(\S+\)/]

export function looksLikeMarkdown(text: string): boolean {
  return SIGNS.some((sign) => sign.test(text))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function inline(text: string): string {
  return text
    .split(/(`[^`\n]+`)/)
    .map((part, i) => {
      if (i % 2 === 1) return `<code>${escaped(part.slice(1, -1))}</code>`
      return escaped(part)
        .replace(/\[([^\]\n]+)\]\(([^()\s]+)\)/g, '<a href="$2">$1</a>')
        .replace(/\*\*([^*\n]+)\*\*|__([^_\n]+)__/g, (_m, a?: string, b?: string) => `<strong>${a ?? b}</strong>`)
        .replace(/(^|[\s(])[*_]([^*_\n]+)[*_](?=$|[\s).,;:!?])/g, '$1<em>$2</em>')
        .replace(/~~([^~\n]+)~~/g, '<s>$1</s>')
    })
    .join('')
}

class Lines {
  private at = 0
  constructor(private readonly lines: string[]) {}
  get done(): boolean {
    return this.at >= this.lines.length
  }
  get here(): string {
    return this.lines[this.at] ?? ''
  }
  take(): string {
    this.at += 1
    return this.lines[this.at - 1] ?? ''
  }
  takeWhile(wanted: (line: string) => boolean): string[] {
    const taken: string[] = []
    while (!this.done && wanted(this.here)) taken.push(this.take())
    return taken
  }
}

const ITEM = /^(\s*)([-*+]|\d+[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/
const BLOCK = /^(#{1,6} |```|>|\s*([-*+]|\d+[.)])\s|\||---+\s*$)/

function listOf(lines: Lines, indent: number): string {
  const first = ITEM.exec(lines.here)!
  const isTasks = first[3] !== undefined
  const tag = /\d/.test(first[2]!) ? 'ol' : 'ul'
  let html = isTasks ? '<ul class="task-list">' : `<${tag}>`
  for (let item = ITEM.exec(lines.here); item && item[1]!.length >= indent; item = ITEM.exec(lines.here)) {
    if (item[1]!.length > indent) {
      html = `${html.replace(/<\/li>$/, '')}${listOf(lines, item[1]!.length)}</li>`
      continue
    }
    lines.take()
    html += `<li${isTasks ? ` class="task-list-item" data-checked="${item[3]?.toLowerCase() === 'x'}"` : ''}>${inline(item[4]!)}</li>`
  }
  return `${html}</${isTasks ? 'ul' : tag}>`
}

function tableOf(rows: string[]): string {
  const cells = (row: string) => row.trim().replace(/^\||\|$/g, '').split('|').map((cell) => inline(cell.trim()))
  const isHead = /^[\s|:-]+$/.test(rows[1] ?? '')
  const body = rows.filter((_row, i) => !(isHead && i === 1))
  return `<table>${body.map((row, i) => `<tr>${cells(row).map((cell) => (isHead && i === 0 ? `<th>${cell}</th>` : `<td>${cell}</td>`)).join('')}</tr>`).join('')}</table>`
}

function block(lines: Lines): string {
  const line = lines.here
  const heading = /^(#{1,6}) (.*)$/.exec(line)
  if (line.startsWith('```')) {
    const language = lines.take().slice(3).trim()
    const code = lines.takeWhile((l) => !l.startsWith('```'))
    lines.take()
    return `<pre><code class="language-${escaped(language)}">${escaped(code.join('\n'))}</code></pre>`
  }
  if (heading) {
    lines.take()
    return `<h${heading[1]!.length}>${inline(heading[2]!.replace(/\s+#+\s*$/, ''))}</h${heading[1]!.length}>`
  }
  if (/^---+\s*$/.test(line)) {
    lines.take()
    return '<hr>'
  }
  if (line.startsWith('>')) return `<blockquote>${markdownToHtml(lines.takeWhile((l) => l.startsWith('>')).map((l) => l.replace(/^> ?/, '')).join('\n'))}</blockquote>`
  if (line.startsWith('|')) return tableOf(lines.takeWhile((l) => l.startsWith('|')))
  const item = ITEM.exec(line)
  if (item) return listOf(lines, item[1]!.length)
  const text = [lines.take(), ...lines.takeWhile((l) => l.trim() !== '' && !BLOCK.test(l))]
  return `<p>${text.map(inline).join('<br>')}</p>`
}

export function markdownToHtml(text: string): string {
  const lines = new Lines(text.replaceAll('\r\n', '\n').split('\n'))
  let html = ''
  while (!lines.done) {
    if (lines.here.trim() === '') lines.take()
    else html += block(lines)
  }
  return html
}
