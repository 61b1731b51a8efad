import qrcode from 'qrcode-generator';

/** A QR code, dark on white in both schemes: cameras want it so. */
export function QrCode({ text, label, size = 184 }: { text: string; label: string; size?: number }) {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const modules = code.getModuleCount();
  const indices = Array.from({ length: modules }, (_, i) => i);
  const dark = indices.flatMap((y) => indices.filter((x) => code.isDark(y, x)).map((x) => `M${x} ${y}h1v1h-1z`));
  const edge = modules + 2 * QUIET;
  return (
    <svg
      role="img"
      aria-label={label}
      width={size}
      height={size}
      viewBox={`${-QUIET} ${-QUIET} ${edge} ${edge}`}
      shapeRendering="crispEdges"
      style={{ borderRadius: 8, border: '1px solid var(--mantine-color-default-border)' }}
    >
      <rect x={-QUIET} y={-QUIET} width={edge} height={edge} fill="#fff" />
      <path d={dark.join('')} fill="#000" />
    </svg>
  );
}

/** Modules of white around it (ISO/IEC 18004 asks for four). */
const QUIET = 4;
