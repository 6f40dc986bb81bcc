import { second } from "./cycle-b.js";
export const first = () => `first ${second()}`;
export const name = "a";
