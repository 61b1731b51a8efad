import { type CSSVariablesResolver, createTheme } from '@mantine/core';

/** Calm and exact: text first, one accent, colour otherwise only for state. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  colors: {
    // From text to the deepest ground: cooler and further apart than Mantine's own, so that text is bright and lines are quiet.
    dark: [
      '#e4e5e9',
      '#c9cad1',
      '#9b9ca6',
      '#74757f',
      '#3a3b44',
      '#2b2c34',
      '#22232a',
      '#17181c',
      '#121317',
      '#0d0e11',
    ],
  },
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1.0625rem' }, h3: { fontSize: '0.9375rem' } },
  },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Drawer: { defaultProps: { transitionProps: { duration: 150 } }, styles: { title: { fontWeight: 600 } } },
    // The page has one banner, the frame's; the head of a dialog is none.
    DrawerHeader: { defaultProps: { component: 'div' } },
    ModalHeader: { defaultProps: { component: 'div' } },
    // The placeholder that takes the focus first has no place in a menu to assistive technology; the first item has.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: {
      defaultProps: { transitionProps: { duration: 150 }, centered: true },
      styles: { title: { fontWeight: 600 } },
    },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true, events: { hover: true, focus: true, touch: true } } },
  },
});

/** Mantine's own greys and light badges miss WCAG 2.2 AA by a little; these do not (axe finds nothing in either scheme). */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5c636a',
    '--mantine-color-placeholder': '#6c737a',
    '--mantine-color-teal-light-color': '#066649',
    '--mantine-color-green-light-color': '#1b6b2c',
    '--mantine-color-yellow-light-color': '#7a4d00',
    '--mantine-color-red-light-color': '#a61e1e',
    '--mantine-color-gray-light-color': '#495057',
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-red-text': '#c92a2a',
    '--mantine-color-red-outline': '#c92a2a',
    '--mantine-color-red-filled': '#c92a2a',
    '--mantine-color-red-filled-hover': '#b02525',
    '--mantine-color-indigo-light-hover': '#cdd8ff',
    '--trail-success': '#237032',
    '--trail-failure': '#c92a2a',
    '--trail-waiting': '#b35900',
    '--trail-quiet': '#868e96',
    '--trail-line': '#dee2e6',
  },
  dark: {
    '--mantine-color-dimmed': '#a4a5ae',
    '--mantine-color-placeholder': '#9b9ca6',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-red-text': '#ff8787',
    '--mantine-color-red-outline': '#ff8787',
    '--mantine-color-red-filled': '#c92a2a',
    '--mantine-color-red-filled-hover': '#b02525',
    // Notices that are read, not alarms that glow.
    '--mantine-color-red-light': '#3a2022',
    '--mantine-color-red-light-hover': '#462628',
    '--mantine-color-red-light-color': '#ffa8a8',
    '--mantine-color-yellow-light': '#352a1a',
    '--mantine-color-yellow-light-hover': '#40331f',
    '--mantine-color-yellow-light-color': '#ffd8a8',
    '--trail-success': '#51cf66',
    '--trail-failure': '#ff8787',
    '--trail-waiting': '#ffc078',
    '--trail-quiet': '#909296',
    '--trail-line': '#2f3038',
  },
});
