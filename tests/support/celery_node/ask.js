// Asks as any program may: node ask.js BROKER QUEUE [[arguments, named arguments], …]; each answer is a line of JSON.
const celery = require("celery-node");

const [broker, queue, asked] = process.argv.slice(2);
const client = celery.createClient(broker, broker, queue);
const task = client.createTask("pipeline.predict");

async function answer([positional, named]) {
  const result = task.applyAsync(positional, named);
  try {
    return { result: await result.get(60000, 50) };
  } catch (error) {
    return { status: error.message, exc_type: error.exc_type, exc_message: error.exc_message };
  }
}

Promise.all(JSON.parse(asked).map(answer))
  .then((answers) => answers.forEach((each) => console.log(JSON.stringify(each))))
  .then(() => client.disconnect());
