/** Pauses before a question is asked again. */
const PAUSES_MS = [100, 400, 1000];

/**
 * Asks again when the line breaks, which a question and a keyed wish may and a change may not: browsers drop what is on its way when a
 * network interface comes or goes, and one does with every container on the user's machine.
 */
export async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await ask();
    } catch (failure) {
      if (!(failure instanceof TypeError)) throw failure;
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
  return ask();
}
