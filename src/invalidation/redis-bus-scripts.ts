// What the purge bus asks of Redis, each one atomic. All keys share one hash tag, so they also live together on a
// Redis Cluster.
//
//   state    hash: epoch, run (the server's run id when the epoch began), seq, since (when it began, ms)
//   purged   string: for each slot the number of its last purge, 4 bytes, little endian
//   expired  string: the same for expires
//   stream   the last purges, entry id = number; catch-up reads it
//   fresh    exists while the change feed has published everything up to the log's end
//   members  hash: for each worker that serves pages when it last read the state (ms), and what it had applied
//
// An epoch belongs to one run of one server. A server that restarted, was flushed, or took over from another may
// have lost purges that it had acknowledged, and nothing in its data would show that: so a run id that differs from
// the one the epoch began under begins a new epoch, and everything rendered before is suspect.

/** KEYS of every script. */
export const KEY_NAMES = ['state', 'purged', 'expired', 'stream', 'fresh', 'members'] as const;

/**
 * Sets `epoch` and `seq`; begins a new epoch first where the old one cannot be trusted.
 * ARGV[1] = a name for a new epoch, ARGV[2] = slots, ARGV[3] = the last number before a new epoch is due
 */
const ENSURE_EPOCH = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or '?'
local state = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'seq')
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local epoch, seq = state[1], tonumber(state[3])
if not epoch or not seq or state[2] ~= run or seq >= tonumber(ARGV[3])
    or redis.call('STRLEN', KEYS[2]) ~= ARGV[2] * 4 or redis.call('STRLEN', KEYS[3]) ~= ARGV[2] * 4 then
  epoch, seq = ARGV[1], 0
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  redis.call('SETRANGE', KEYS[2], ARGV[2] * 4 - 4, '\\0\\0\\0\\0')
  redis.call('SETRANGE', KEYS[3], ARGV[2] * 4 - 4, '\\0\\0\\0\\0')
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', run, 'seq', 0, 'since', now)
end
`;

/**
 * ARGV[4] = the member that reads ('' for one that serves no pages), ARGV[5], ARGV[6] = epoch and number it has applied
 * -> [epoch, seq, ms that `fresh` still lives (<= 0: it does not), the server's time in ms]
 */
export const READ_STATE = `${ENSURE_EPOCH}
if ARGV[4] ~= '' then redis.call('HSET', KEYS[6], ARGV[4], now .. ' ' .. ARGV[6] .. ' ' .. ARGV[5]) end
return { epoch, seq, redis.call('PTTL', KEYS[5]), now }
`;

/** -> [epoch, seq, purged, expired], all of one moment */
export const READ_CLOCK = `${ENSURE_EPOCH}
return { epoch, seq, redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3]) }
`;

/**
 * ARGV[4] = kind, ARGV[5] = slots to mark, 4 bytes each, little endian, ARGV[6] = keys as JSON,
 * ARGV[7] = keys for the stream ('' where too many: whoever catches up then reads the clock), ARGV[8] = stream length,
 * ARGV[9] = channel, ARGV[10] = 'SPUBLISH' or 'PUBLISH', ARGV[11] = time of the commit or ''
 * -> [epoch, seq]
 */
export const PUBLISH = `${ENSURE_EPOCH}
seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
local clock = ARGV[4] == 'purge' and KEYS[2] or KEYS[3]
local number = struct.pack('<I4', seq)
local packed = ARGV[5]
for at = 1, #packed, 4 do
  redis.call('SETRANGE', clock, struct.unpack('<I4', packed, at) * 4, number)
end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[8], seq .. '-0', 'kind', ARGV[4], 'keys', ARGV[7], 'at', ARGV[11])
local head = ARGV[11] == '' and ARGV[4] or ARGV[4] .. '@' .. ARGV[11]
redis.call(ARGV[10], ARGV[9], epoch .. ' ' .. seq .. ' ' .. head .. ' ' .. ARGV[6])
return { epoch, seq }
`;

/** What is said on the channel to have every member read the state at once. No purge looks like it. */
export const ROLL_CALL = '?';

/**
 * ARGV[4] = ms after which a silent member is forgotten, ARGV[5] = channel or '', ARGV[6] = 'SPUBLISH' or 'PUBLISH'
 * -> [epoch, seq, ms since the epoch began, member, its word, member, its word, ...]
 */
export const CALL_ROLL = `${ENSURE_EPOCH}
local answer = { epoch, seq, now - (redis.call('HGET', KEYS[1], 'since') or 0) }
local members = redis.call('HGETALL', KEYS[6])
for at = 1, #members, 2 do
  local heard = tonumber(string.match(members[at + 1], '^%d+') or 0)
  if now - heard > tonumber(ARGV[4]) then
    redis.call('HDEL', KEYS[6], members[at])
  else
    answer[#answer + 1] = members[at]
    answer[#answer + 1] = members[at + 1]
  end
end
if ARGV[5] ~= '' then redis.call(ARGV[6], ARGV[5], '${ROLL_CALL}') end
return answer
`;

/** ARGV[4] = the member that is gone. -> [] */
export const LEAVE = `
redis.call('HDEL', KEYS[6], ARGV[4])
return {}
`;

/**
 * ARGV[4] = until when it holds, by the server's clock: a command that waits in a stopped server must not vouch anew
 * when it is carried out at last. Said by the feed: all that was committed has been published. -> [epoch, seq]
 */
export const SET_FRESH = `${ENSURE_EPOCH}
redis.call('SET', KEYS[5], '1', 'PXAT', ARGV[4])
return { epoch, seq }
`;

/** Begins a new epoch whatever the old one was: everything rendered before is suspect. -> [epoch, seq] */
export const BEGIN_EPOCH = `
redis.call('DEL', KEYS[1])
${ENSURE_EPOCH}
return { epoch, seq }
`;
