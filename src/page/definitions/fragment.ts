import { declaring } from '../../core/declarations.ts';
import { andThen, type Eventually, settledOf } from '../../core/eventually.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Node } from '../../render/element.ts';
import { FragmentCall } from '../../render/fragment-call.ts';
import type { GiveReading, Reading } from './page.ts';

export interface FragmentPolicy {
  /** How long its HTML is fresh. Default one minute. 0: rendered anew with every page. */
  readonly ttlMs?: Milliseconds;
  /** How long after that it may still be served while a new one is made. Default 0. */
  readonly staleWhileRevalidateMs?: Milliseconds;
}

export interface FragmentContext<Key> extends Reading {
  /** What `key` answered for the component's props; the only thing of them that a fragment sees. */
  readonly key: Key;
}

/**
 * A fragment is rendered from its key, as a page is from its own: what is not in the key cannot reach HTML
 * that is shared under it. Without `load` the view is given the key itself. Write `load` before `view`.
 */
export interface FragmentDefinition<Props, Key, Data> {
  /** Text, numbers, booleans, null, dates, arrays and plain objects of these. */
  readonly key: (props: Props) => Key;
  readonly load?: (context: FragmentContext<Key>) => Promise<Data> | Data;
  readonly view: (data: NoInfer<Data>) => Node;
  readonly cache?: FragmentPolicy;
}

/** What stands in the tree where a fragment was used. */
export interface FragmentUse {
  readonly name: string;
  readonly key: unknown;
  /** Tells two fragments of one name apart. */
  readonly identity: object;
  readonly policy: FragmentPolicy;
  /** Reads and builds its nodes; the renderer turns them into HTML. */
  readonly build: (reading: GiveReading) => Eventually<{ readonly node: Node }>;
}

/**
 * Declares a component whose HTML is kept apart from the pages it stands in, with its own dependencies:
 * when its data changes the pages around it are put together from what is kept, and only it is rendered.
 *
 * @example
 *     const UserCard = fragment('user-card', {
 *       key: (props: { id: number }) => props.id,
 *       load: ({ key, db }) => db.byId<User>('users', key),
 *       view: (user) => ({ article: { text: user?.name } }),
 *     });
 *     ... children: users.map((user) => UserCard({ id: user.id }))
 */
export function fragment<Props, Key, Data = Key>(
  name: string,
  definition: FragmentDefinition<Props, Key, Data>,
): (props: Props) => Node {
  declaring('fragment()');
  const policy = definition.cache ?? {};
  return (props) => {
    const key = definition.key(props);
    // Without `load` there is no Data of its own, and its type is the key's.
    const view = (data: Data | Key) => ({ node: definition.view(data as Data) });
    const build = (reading: GiveReading) =>
      definition.load === undefined ? view(key) : andThen(settledOf(definition.load(reading({ key }))), view);
    return new FragmentCall<FragmentUse>({ name, key, identity: definition, policy, build });
  };
}
