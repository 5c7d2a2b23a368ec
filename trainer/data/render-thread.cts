// What a worker thread loads. CommonJS on purpose, and all else at the first task: the pool would load an ES module
// synchronously, and Node 20 aborts the whole process when a thread is ended in the middle of that.
module.exports = async (task: never): Promise<unknown> => (await import('./render-worker.ts')).default(task);
