/** Trailproof's mark: a trail of lines that ends in a tick. */
export function Mark({ size = 24 }: { size?: number }) {
  return <img src="/mark.svg" width={size} height={size} alt="Trailproof" />;
}
