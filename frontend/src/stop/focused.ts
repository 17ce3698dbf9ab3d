/** A ref of what gets the focus when it appears in an open dialog: what had it is gone. */
export const focused = (element: HTMLElement | null): void => element?.focus()
