import { useLayoutEffect, useRef } from 'react'

/** Gives the focus back to what had it before a dialog opened, or to the page where that is gone. */
export function useFocusBack(opened: boolean) {
  const before = useRef<Element | null>(null)
  // Before the effects of what is in the dialog, which take the focus.
  useLayoutEffect(() => {
    if (opened) {
      before.current = document.activeElement
      return
    }
    const had = before.current
    if (!(had instanceof HTMLElement)) return
    before.current = null
    const timer = setTimeout(() => {
      const to = had.isConnected ? had : document.getElementById('main')
      to?.focus({ preventScroll: true })
    }, AFTER_THE_TRAP)
    return () => clearTimeout(timer)
  }, [opened])
}

/** Milliseconds until a dialog holds the focus no longer. */
const AFTER_THE_TRAP = 30
