/** The buffer with room for `bytes`, and what was in it. The one that is given must own its memory, and cannot be used any more. */
export function resized({ buffer }: Buffer<ArrayBuffer>, bytes: number): Buffer<ArrayBuffer> {
  return Buffer.from(buffer.transfer(bytes));
}

/**
 * Gives a buffer's memory back at once; nothing may use the buffer any more. Left to the garbage collector it counts as
 * garbage of the whole heap, which at full speed is then marked again and again for the sake of a few such buffers.
 */
export function giveBack({ buffer, byteLength }: NodeJS.ArrayBufferView): void {
  // Node takes what is smaller from a pool that others share.
  if (buffer instanceof ArrayBuffer && 2 * byteLength >= Buffer.poolSize) buffer.transfer(0);
}
