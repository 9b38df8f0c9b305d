/** What to delete and insert so that `before` becomes `after`. */
export function difference(before: string, after: string): { at: number; remove: number; insert: string } {
  const min = Math.min(before.length, after.length)
  let left = 0
  while (left < min && before[left] === after[left]) left += 1
  let right = 0
  while (right < min - left && before[before.length - right - 1] === after[after.length - right - 1]) right += 1
  return { at: left, remove: before.length - left - right, insert: after.slice(left, after.length - right) }
}
