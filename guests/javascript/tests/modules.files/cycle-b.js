import { name } from "./cycle-a.js";
export const second = () => `second sees ${name}`;
