// Values that are often there at once. A promise costs a turn of the microtask queue and some allocations; a render that
// waits for nothing makes none.

export type Eventually<T> = T | Promise<T>;

/** `next` of the value: now, where it is there. What `next` throws is thrown then; what is awaited rejects with it. */
export function andThen<T, U>(value: Eventually<T>, next: (value: T) => Eventually<U>): Eventually<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** What an application gives: a value, a promise, or what else can be awaited (query builders can). */
export function settledOf<T>(given: T | PromiseLike<T>): Eventually<T> {
  return given instanceof Promise || !isThenable(given) ? given : Promise.resolve(given);
}

/** `work`, whose end is told: with what it came to, or with nothing where it failed. */
export function finishing<T>(
  work: () => Eventually<T>,
  ended: (result: T | undefined) => void,
): Eventually<T> {
  const failed = (error: unknown): never => {
    ended(undefined);
    throw error;
  };
  const finished = (result: T): T => {
    ended(result);
    return result;
  };
  let working: Eventually<T>;
  try {
    working = work();
  } catch (error) {
    return failed(error);
  }
  return working instanceof Promise ? working.then(finished, failed) : finished(working);
}

function isThenable<T>(given: T | PromiseLike<T>): given is PromiseLike<T> {
  return (
    ((typeof given === 'object' && given !== null) || typeof given === 'function') &&
    'then' in given &&
    typeof given.then === 'function'
  );
}
