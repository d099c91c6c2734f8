// Which of Postgres' own functions give the same result while the data is the same. Immutable ones do;
// of the stable ones those named here, which lean on nothing but settings that a pool's session keeps.
import type { Builtin } from '../schema/catalog.ts';

const stableButSteady = new Set(
  `to_char to_date to_timestamp to_number date_trunc date_part date_bin extract timezone make_timestamptz date_add
   date_subtract generate_series generate_subscripts isfinite overlaps
   date timestamp timestamptz time interval text bpchar varchar float4 float8 numeric int4 int8 bool
   concat concat_ws format quote_literal quote_nullable array_to_string array_out textcat anytextcat textanycat
   to_json to_jsonb row_to_json array_to_json json_build_array json_build_object jsonb_build_array jsonb_build_object
   json_object json_agg jsonb_agg json_object_agg jsonb_object_agg json_agg_strict jsonb_agg_strict
   json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict jsonb_object_agg_strict
   jsonb_object_agg_unique jsonb_object_agg_unique_strict json_populate_record jsonb_populate_record
   json_populate_recordset jsonb_populate_recordset json_to_record jsonb_to_record json_to_recordset jsonb_to_recordset
   jsonb_path_query_tz jsonb_path_query_array_tz jsonb_path_query_first_tz jsonb_path_exists_tz jsonb_path_match_tz
   to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_headline json_to_tsvector
   jsonb_to_tsvector pg_typeof string_agg array_agg length substring position`.split(/\s+/),
);

const readsTheClock = new Set(
  `now transaction_timestamp statement_timestamp clock_timestamp timeofday pg_postmaster_start_time pg_conf_load_time
   uuidv7 uuidv1`.split(/\s+/),
);

/** Why a call of one of Postgres' own functions cannot be followed, or undefined. */
export function builtinTrouble(name: string, builtin: Builtin, argumentCount: number): string | undefined {
  if (readsTheClock.has(name) || (name === 'age' && argumentCount === 1)) {
    return `${name}() depends on the time`;
  }
  if (name === 'age') return undefined;
  if (builtin.volatility === 'immutable' || stableButSteady.has(name)) return undefined;
  return `${name}() depends on more than the data`;
}

/** Whether one of Postgres' own functions is known to run no SQL and to change nothing of its session. */
export function leavesSessionAlone(name: string, { volatility }: Builtin): boolean {
  return volatility === 'immutable' || stableButSteady.has(name) || readsTheClock.has(name) || name === 'age';
}

/** Why a value that SQL spells without parentheses cannot be followed, or undefined. */
export function valueFunctionTrouble(op: string): string | undefined {
  // CURRENT_USER and its kin are the pool's role, CURRENT_SCHEMA and CURRENT_CATALOG its session's.
  return /DATE|TIME/.test(op)
    ? `${op.replace('SVFOP_', '').replace(/_N$/, '')} depends on the time`
    : undefined;
}

/**
 * Input words of the date and time types whose value moves: after a time of day, or in a range, an array or a row
 * (`12:00 today`, `[today,tomorrow)`).
 */
export const movingTime =
  /^(?:[\s\d:.+-]*|\s*[[({](?:.*[,{("\\])?[\s\d:.+-]*)(?:now|today|tomorrow|yesterday)\b/is;
