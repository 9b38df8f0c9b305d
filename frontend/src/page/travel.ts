// Time travel: the slider over a draft's moments. The page shows one moment without any script; this fetches the others.
import { find, findAll } from './dom'

interface Moment {
  seq: number
  at_ms: number
  changes: number
  user: string | null
  name: string | null
}

interface State {
  seq: number
  title: string
  changes: number
  html: string
}

/** Pause between two moments while they are played. */
const PLAY_EVERY_MS = 700
/** States kept, so that going back and forth asks once. */
const STATES_MAX = 60

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

class Travel {
  private moments: Moment[] = []
  private at = 0
  private person: string | null = null
  private timer = 0
  private readonly states = new Map<number, Promise<State>>()
  private readonly slider: HTMLInputElement
  private readonly label: HTMLElement | null
  private readonly play: HTMLButtonElement | null

  constructor(private readonly root: HTMLElement, private readonly page: string, slider: HTMLInputElement) {
    this.slider = slider
    this.label = find('[data-travel-label]', root)
    this.play = find<HTMLButtonElement>('[data-travel-play]', root)
  }

  async start(): Promise<void> {
    const answer = await fetch(`/api/pages/${this.page}/draft-history`)
    if (!answer.ok) return
    this.moments = ((await answer.json()) as { moments: Moment[] }).moments
    if (this.moments.length === 0) return
    this.at = Math.min(Number(this.slider.value), this.moments.length - 1)
    this.slider.max = String(this.moments.length - 1)
    this.slider.disabled = false
    this.slider.addEventListener('input', () => this.go(this.nearest(Number(this.slider.value))))
    for (const button of findAll<HTMLButtonElement>('[data-travel-step]', this.root)) {
      button.hidden = false
      button.addEventListener('click', () => this.step(Number(button.dataset.travelStep)))
    }
    for (const button of findAll<HTMLButtonElement>('[data-travel-person]', this.root)) {
      button.addEventListener('click', () => this.choose(button))
    }
    find('[data-travel-marks]', this.root)?.addEventListener('change', () => this.mark())
    if (this.play) {
      this.play.hidden = false
      this.play.addEventListener('click', () => this.toggle())
    }
    this.tell()
  }

  /** Stops only at moments of one person, or at all again. */
  private choose(button: HTMLButtonElement): void {
    const isOn = button.getAttribute('aria-pressed') !== 'true'
    for (const other of findAll('[data-travel-person]', this.root)) other.setAttribute('aria-pressed', String(isOn && other === button))
    this.person = isOn ? (button.dataset.travelPerson ?? null) : null
    if (!this.fits(this.at)) this.step(this.next(this.at, -1) === this.at ? 1 : -1)
    else this.tell()
  }

  private fits(index: number): boolean {
    return this.person === null || this.moments[index]?.user === this.person
  }

  /** The nearest moment in a direction that is to be shown; the same one when there is none. */
  private next(from: number, by: number): number {
    for (let index = from + by; index >= 0 && index < this.moments.length; index += by) if (this.fits(index)) return index
    return from
  }

  /** The moment that is shown when the slider is moved here: further on the same way, or else back. */
  private nearest(index: number): number {
    if (this.fits(index)) return index
    const by = index < this.at ? -1 : 1
    const onward = this.next(index, by)
    return onward === index ? this.next(index, -by) : onward
  }

  private step(by: number): void {
    const next = this.next(this.at, by)
    if (next === this.at) this.pause()
    else this.go(next)
  }

  private toggle(): void {
    if (this.timer !== 0) return this.pause()
    if (this.next(this.at, 1) === this.at) this.go(this.next(-1, 1))
    if (this.play) this.play.textContent = 'Pause'
    this.timer = window.setInterval(() => this.step(1), PLAY_EVERY_MS)
  }

  private pause(): void {
    window.clearInterval(this.timer)
    this.timer = 0
    if (this.play) this.play.textContent = 'Play'
  }

  private go(index: number): void {
    this.at = index
    this.slider.value = String(index)
    this.tell()
    const moment = this.moments[index]
    if (!moment) return
    this.state(moment.seq).then(
      (state) => {
        // A later move of the slider wins.
        if (this.moments[this.at]?.seq === state.seq) this.show(state)
      },
      () => {
        this.states.delete(moment.seq)
        if (this.label) this.label.textContent = 'This moment could not be loaded. Try again.'
      },
    )
  }

  private state(seq: number): Promise<State> {
    const known = this.states.get(seq)
    if (known) return known
    const asked = fetch(`/api/pages/${this.page}/draft-history/${seq}`).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status))
      return answer.json() as Promise<State>
    })
    const oldest = this.states.keys().next()
    if (this.states.size >= STATES_MAX && !oldest.done) this.states.delete(oldest.value)
    this.states.set(seq, asked)
    return asked
  }

  private show(state: State): void {
    const body = find('[data-travel-body]')
    const title = find('[data-travel-title]')
    // The server has sanitised it, as it does for every page.
    if (body) body.innerHTML = state.html
    if (title) title.textContent = state.title
    const seq = find<HTMLInputElement>('[data-travel-seq]', this.root)
    if (seq) seq.value = String(state.seq)
    history.replaceState(null, '', `?seq=${state.seq}`)
  }

  private mark(): void {
    const isOn = find<HTMLInputElement>('[data-travel-marks]', this.root)?.checked ?? true
    find('[data-travel-body]')?.classList.toggle('unmarked', !isOn)
  }

  private tell(): void {
    const moment = this.moments[this.at]
    if (!moment || !this.label) return
    const text = `${time.format(moment.at_ms)} · ${moment.name ?? 'Unknown'} · ${this.at + 1} of ${this.moments.length}`
    this.label.textContent = text
    this.slider.setAttribute('aria-valuetext', text)
  }
}

export function watchTravel(): void {
  const root = find('[data-travel]')
  const slider = root && find<HTMLInputElement>('[data-travel-slider]', root)
  if (root && slider) void new Travel(root, root.dataset.travel ?? '', slider).start()
}
