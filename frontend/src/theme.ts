import { createTheme, Modal } from '@mantine/core'

/** Mantine's own blue and red fail AA on light surfaces: these are ours, from the design's tokens. */
export const theme = createTheme({
  fontFamily: 'Inter Variable, system-ui, sans-serif',
  defaultRadius: 6,
  primaryColor: 'brand',
  primaryShade: { light: 7, dark: 7 },
  autoContrast: true,
  fontSizes: { xs: '12px', sm: '13px', md: '14px' },
  colors: {
    // The surfaces and texts of the tokens: what Mantine draws in the dark is of the same cloth.
    dark: [
      '#e6ebf2',
      '#a9b4c2',
      '#8b98a8',
      '#6b7a8d',
      '#2b3644',
      '#222c39',
      '#1a222d',
      '#121821',
      '#0b0f14',
      '#080b0f',
    ],
    brand: [
      '#EEF3FF',
      '#DCE6FF',
      '#B9CCFF',
      '#97B4FF',
      '#7AA2FF',
      '#5C86F5',
      '#4470E8',
      '#2F5BD8',
      '#264BB5',
      '#1D3A8C',
    ],
    danger: [
      '#FFEDEB',
      '#FFD6D1',
      '#FFB3AB',
      '#FF8A80',
      '#C62828',
      '#C62828',
      '#BF2A22',
      '#B3261E',
      '#8F1E18',
      '#6B1612',
    ],
  },
  components: {
    Modal: Modal.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Close' }, centered: true } }),
  },
})
