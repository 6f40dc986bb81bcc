/** V8's heap ends before the container's memory does, and says so. */
export const nodeHeap = "--max-old-space-size={heapMb}";

/** What V8 says then. */
export const nodeOutOfMemory: RegExp = /JavaScript heap out of memory/;
