/** What V8 says when its heap is full, which is made smaller than the memory limit. */
export const nodeOutOfMemory: RegExp =
  /JavaScript heap out of memory|Array buffer allocation failed|Invalid array buffer length/;

/** Its heap ends before the container's memory does. */
export const nodeHeap = "--max-old-space-size={heapMb}";
