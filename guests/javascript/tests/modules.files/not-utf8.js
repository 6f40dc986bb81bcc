export const s = "ÿþ";
