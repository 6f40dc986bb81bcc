/** V8's heap ends before the container's memory does, and says so. */
export const nodeHeap = "--max-old-space-size={heapMb}";
