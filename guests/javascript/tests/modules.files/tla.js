export const value = await new Promise((done) => setTimeout(done, 5, "top-level await"));
