/** Whether bytes are nothing but zeros. */
export function isZero(bytes: Uint8Array): boolean {
  const whole = bytes.byteLength & ~7;
  if (bytes.byteLength === 0) return true;
  if (bytes[0] !== 0 || bytes[bytes.byteLength - 1] !== 0) return false;
  if (bytes.byteOffset % 8 === 0) {
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, whole / 8);
    for (let at = 0; at < words.length; at++) {
      if (words[at] !== 0n) return false;
    }
    return bytes.subarray(whole).every((byte) => byte === 0);
  }
  return bytes.every((byte) => byte === 0);
}
