import { type MantineColorScheme, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useLayoutEffect } from 'react'
import { useKept } from '../parts/kept'

export const PROFIT_COLOURS = {
  'teal-orange': 'Teal / orange',
  'blue-orange': 'Blue / orange',
  'green-red': 'Green / red',
  'red-up': 'Red up / green down',
} as const
export type ProfitColours = keyof typeof PROFIT_COLOURS

export const DENSITIES = { compact: 'Compact', comfortable: 'Comfortable' } as const
export type Density = keyof typeof DENSITIES

const oneOf = <T extends string>(among: Record<T, string>, text: string | null, otherwise: T): T =>
  text !== null && Object.hasOwn(among, text) ? (text as T) : otherwise

/** How the pages look on this machine; kept in the browser. */
export function useAppearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  // There is no server that draws first: a chart made in the wrong theme would be thrown away at once.
  const shown = useComputedColorScheme('dark', { getInitialValueInEffect: false })
  const [colours, setColours] = useKept('profit-colours')
  const [density, setDensity] = useKept('density')
  return {
    /** As it was chosen; `auto` follows the system. */
    theme: colorScheme,
    setTheme: (theme: MantineColorScheme) => setColorScheme(theme),
    /** As it is seen. */
    shown,
    profitColours: oneOf<ProfitColours>(PROFIT_COLOURS, colours, 'teal-orange'),
    setProfitColours: (value: ProfitColours) => setColours(value),
    density: oneOf<Density>(DENSITIES, density, 'compact'),
    setDensity: (value: Density) => setDensity(value),
  }
}

/** Tells the style sheets what was chosen; once, in the shell. */
export function useAppearanceOnPage(): void {
  const { profitColours, density } = useAppearance()
  useLayoutEffect(() => {
    document.documentElement.dataset.profitColours = profitColours
    document.documentElement.dataset.density = density
  }, [profitColours, density])
}
