// The rows that pages read, as the columns of schema.sql come out of the database. A statement that asks for
// fewer columns says so with Pick<>.

export interface UserRow {
  readonly id: number;
  readonly handle: string;
  readonly name: string;
  readonly place: string;
  readonly bio: string;
  readonly joined_at: Date;
}

export interface PostRow {
  readonly id: number;
  readonly user_id: number;
  readonly topic: string;
  readonly lang: string;
  readonly title: string;
  readonly summary: string;
  readonly body: string;
  readonly created_at: Date;
}

export interface CommentRow {
  readonly id: number;
  readonly post_id: number;
  readonly user_id: number;
  readonly body: string;
  readonly created_at: Date;
}
