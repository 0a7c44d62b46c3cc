// Reads a queue as any Node program does: node counts.mjs <queue> <connection as JSON>
import { Queue, createPostgresBackend } from "bullmq";

const [name, connection] = process.argv.slice(2);
const queue = new Queue(name, { connection: JSON.parse(connection) }, createPostgresBackend);
const counts = await queue.getJobCounts("waiting", "active", "delayed", "completed", "failed");
const jobs = await queue.getJobs(["waiting", "delayed"]);
console.log(JSON.stringify({ counts, ids: jobs.map((job) => job.id) }));
await queue.close();
