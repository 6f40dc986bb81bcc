export const double = (x) => 2 * x;
export let counter = 0;
export const bump = () => counter++;
export const where = import.meta.url;
export default "math";
