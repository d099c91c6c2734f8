/** The workloads that are measured, by the names they have in the tables. */
export const workloads = {
  spiral: 'W1 spiral, 2398 positioned tiles',
  table: 'W2 table, 1000 rows of two UUIDs',
  purchases: 'W4 page with 1000 purchase cards',
  search: 'W5 100 search results and a large static footer',
  colors: 'W6 colour picker, 133 colours',
} as const;

export type WorkloadName = keyof typeof workloads;

/** One way of writing the workloads. `turn` is the number of the request, for those that differ by it. */
export type ViewSet<Result> = Readonly<Record<WorkloadName, (turn: number) => Result>>;
