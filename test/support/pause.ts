/** For programs that do things at their own pace. A test waits for a condition instead. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
