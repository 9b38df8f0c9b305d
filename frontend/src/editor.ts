/** Opens the editor in place of title and body of `page`. */
export function openEditor(page: HTMLElement): void {
  page.dataset.editing = 'open'
}
