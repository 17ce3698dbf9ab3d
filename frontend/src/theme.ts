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
