// What the purge bus asks of Redis, each one atomic. All keys share one hash tag, so they also live together on a
// Redis Cluster.
//
//   state    hash: epoch, run (the server's run id when the epoch began), seq, secret (with which messages are signed),
//            purged and expired (the number of the last purge and of the last expire), mark and bytes (of the stream),
//            fresh (when, until when and of which server the change feed said that it has published everything up to the
//            log's end), other (when and of which other server one spoke last), rivals (until when two are suspected)
//   purged   string: for each slot the number of its last purge, 4 bytes, little endian; then a seal
//   expired  string: the same for expires
//   stream   the last purges, entry id = number; catch-up reads it
//   members  hash: for each worker that serves pages when it last read the state (ms), and what it had applied; and
//            @since, when the hash began
//   none     never exists
//
// An epoch belongs to one run of one server, and its numbers only grow. A server that restarted, was flushed, or took
// over from another may have lost purges that it had acknowledged. So may one whose keys were evicted, or restored
// from an older copy, all of them or some. Each of these begins a new epoch, and everything rendered before is suspect:
//
//   another run id         the server is another, or was started again
//   a number that is lower than one the caller knows of this epoch (from an answer, a message, or an entry's stamp)
//   a key that is missing, of another type, or whose seal is not that of the last write: the keys are not of one moment
//
// The first write of each script is a DEL. A Redis that is full refuses a script whose first write could take memory;
// what comes after a write it lets pass, for it cannot take back half a script (so since Redis 2.6; the flag
// `allow-oom` says the same, since Redis 7 only). The bus needs a few megabytes that never grow.

/** KEYS of every script. */
export const KEY_NAMES = ['state', 'purged', 'expired', 'stream', 'members', 'none'] as const;

/** The stream is cut back to one half of this or more when it has grown by as much. */
const STREAM_HALF_BYTES = 2_097_152;
/** What an entry takes beside its keys, at the most. */
const STREAM_ENTRY_BYTES = 100;
/** After the slots of a clock: what tells that it is of this epoch, and nothing is missing of it. */
export const SEAL_BYTES = 12;
/** Two feeds of one name are believed to be at work for so long after they last took turns. */
const RIVALS_MS = 60_000;
/** Workers keep a word on the list of acknowledgements this long after they fell silent. */
const FORGOTTEN_AFTER_MS = 30_000;

/**
 * Sets `epoch`, `seq`, `secret`; begins a new epoch first where the old one cannot be trusted.
 * ARGV[1] = a name for a new epoch, ARGV[2] = a secret for it, ARGV[3] = slots, ARGV[4] = the last number before a new
 * epoch is due, ARGV[5], ARGV[6] = an epoch and the highest number that the caller knows of it
 */
const ENSURE_EPOCH = `
redis.call('DEL', KEYS[6])
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer
end
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local now = string.format('%.0f', nowMs)
local run = string.match(try('INFO', 'server') or '', 'run_id:(%w+)') or '?'
local state = try('HMGET', KEYS[1], 'epoch', 'run', 'seq', 'secret', 'purged', 'expired', 'fresh',
  'other', 'rivals') or {}
local epoch, seq, secret = state[1], tonumber(state[3] or ''), state[4]
local saidMs, untilMs, server = string.match(state[7] or '', '^(%d+) (%d+) (%S*)$')
local rivalsUntilMs, rivals = string.match(state[9] or '', '^(%d+) (.*)$')
local size = ARGV[3] * 4
local function seal(number)
  return string.sub(redis.sha1hex(epoch .. ' ' .. string.format('%.0f', number)), 1, ${SEAL_BYTES})
end
local function isWhole(key, number)
  return number and try('STRLEN', key) == size + ${SEAL_BYTES} and try('GETRANGE', key, size, -1) == seal(number)
end
local function begin()
  epoch, secret, seq, saidMs = ARGV[1], ARGV[2], 0, nil
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  redis.call('SETRANGE', KEYS[2], size, seal(0))
  redis.call('SETRANGE', KEYS[3], size, seal(0))
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', run, 'seq', 0, 'secret', secret, 'purged', 0, 'expired', 0,
    'mark', 0, 'bytes', 0)
  if not try('HSET', KEYS[5], '@since', now) then
    redis.call('DEL', KEYS[5])
    redis.call('HSET', KEYS[5], '@since', now)
  end
end
local function prune()
  local members = redis.call('HGETALL', KEYS[5])
  local living = {}
  for at = 1, #members, 2 do
    local heard = tonumber(string.match(members[at + 1], '^%d+') or 0)
    if members[at] == '@since' then
    elseif nowMs - heard > ${FORGOTTEN_AFTER_MS} then redis.call('HDEL', KEYS[5], members[at])
    else
      living[#living + 1] = members[at]
      living[#living + 1] = members[at + 1]
    end
  end
  return living
end
if not epoch or not seq or not secret or state[2] ~= run or seq >= tonumber(ARGV[4])
    or (epoch == ARGV[5] and seq < tonumber(ARGV[6]))
    or not isWhole(KEYS[2], tonumber(state[5] or '')) or not isWhole(KEYS[3], tonumber(state[6] or ''))
    or not try('HLEN', KEYS[5]) then
  begin()
end
`;

/**
 * ARGV[7] = the member that reads ('' for one that serves no pages), ARGV[8], ARGV[9] = epoch and number it has applied
 * -> [epoch, seq, ms that the feed's word still holds (<= 0: it does not), the server's time in ms, its run id or '?',
 * of which database server the feed speaks or '']
 */
export const READ_STATE = `${ENSURE_EPOCH}
if ARGV[7] ~= '' then
  redis.call('HSETNX', KEYS[5], '@since', now)
  if redis.call('HSET', KEYS[5], ARGV[7], now .. ' ' .. ARGV[9] .. ' ' .. ARGV[8]) == 1 then prune() end
end
local freshMs = 0
if saidMs and tonumber(saidMs) <= nowMs then freshMs = tonumber(untilMs) - nowMs end
return { epoch, seq, freshMs, now, run, saidMs and server or '' }
`;

/** -> [epoch, seq, secret, purged, expired], all of one moment */
export const READ_CLOCK = `${ENSURE_EPOCH}
return { epoch, seq, secret, redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3]) }
`;

/**
 * ARGV[7] = kind, ARGV[8] = slots to mark, 4 bytes each, little endian, ARGV[9] = keys as JSON,
 * ARGV[10] = keys for the stream ('' where too many: a worker that catches up then reads the clock),
 * ARGV[11] = channel, ARGV[12] = 'SPUBLISH' or 'PUBLISH', ARGV[13] = time of the commit or ''
 * -> [epoch, seq]
 */
export const PUBLISH = `${ENSURE_EPOCH}
seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
local isPurge = ARGV[7] == 'purge'
local clock = isPurge and KEYS[2] or KEYS[3]
local number = struct.pack('<I4', seq)
local packed = ARGV[8]
for at = 1, #packed, 4 do
  redis.call('SETRANGE', clock, struct.unpack('<I4', packed, at) * 4, number)
end
redis.call('SETRANGE', clock, size, seal(seq))
redis.call('HSET', KEYS[1], isPurge and 'purged' or 'expired', seq)
local entry = { 'XADD', KEYS[4], seq .. '-0', 'kind', ARGV[7], 'keys', ARGV[10], 'at', ARGV[13] }
if not try(unpack(entry)) then
  redis.call('DEL', KEYS[4])
  redis.call(unpack(entry))
end
if redis.call('HINCRBY', KEYS[1], 'bytes', #ARGV[10] + ${STREAM_ENTRY_BYTES}) > ${STREAM_HALF_BYTES} then
  redis.call('XTRIM', KEYS[4], 'MINID', '~', redis.call('HGET', KEYS[1], 'mark') .. '-0')
  redis.call('HSET', KEYS[1], 'mark', seq, 'bytes', 0)
end
local head = ARGV[13] == '' and ARGV[7] or ARGV[7] .. '@' .. ARGV[13]
local text = epoch .. ' ' .. seq .. ' ' .. head .. ' ' .. ARGV[9]
redis.call(ARGV[12], ARGV[11], redis.sha1hex(secret .. text) .. ' ' .. text)
return { epoch, seq }
`;

/** What is said on the channel to have every member read the state at once. No purge looks like it. */
export const ASK_FOR_ACKNOWLEDGEMENTS = '?';

/**
 * ARGV[7] = channel or '', ARGV[8] = 'SPUBLISH' or 'PUBLISH'
 * -> [epoch, seq, ms since the list of acknowledgements began, member, its word, member, its word, ...]
 */
export const READ_ACKNOWLEDGEMENTS = `${ENSURE_EPOCH}
local since = tonumber(redis.call('HGET', KEYS[5], '@since') or '')
if not since or since > nowMs then
  since = nowMs
  redis.call('HSET', KEYS[5], '@since', now)
end
local answer = { epoch, seq, nowMs - since }
for _, each in ipairs(prune()) do answer[#answer + 1] = each end
if ARGV[7] ~= '' then redis.call(ARGV[8], ARGV[7], '${ASK_FOR_ACKNOWLEDGEMENTS}') end
return answer
`;

/** ARGV[7] = the member that is gone. -> [] */
export const LEAVE = `
redis.call('HDEL', KEYS[5], ARGV[7])
return {}
`;

/**
 * ARGV[7] = until when it holds, by the server's clock: a command that waits in a stopped server must not vouch anew
 * when it is carried out at last. ARGV[8] = of which database server. Said by the feed: all that was committed there has
 * been published. Kept with the moment at which it was said: where the clock is set back it holds no longer for it.
 *
 * A database server that is started again is another one from then on. Where the one before speaks again there are two,
 * of one name: the second is a copy of the first. Both have fleets that share what is kept here, so nothing of it can be
 * trusted while they alternate, nor what was kept meanwhile.
 * -> [epoch, seq, the two servers or '']
 */
export const SET_FRESH = `${ENSURE_EPOCH}
if tonumber(ARGV[7]) <= nowMs then return { epoch, seq, '' } end
if rivalsUntilMs and tonumber(rivalsUntilMs) <= nowMs then
  begin()
  rivals = nil
end
if saidMs and server ~= ARGV[8] then
  local otherMs, other = string.match(state[8] or '', '^(%d+) (%S*)$')
  local isBack = other == ARGV[8] and nowMs - otherMs < ${RIVALS_MS}
  if isBack then
    if not rivals then begin() end
    rivals = other .. ' ' .. server
    redis.call('HSET', KEYS[1], 'rivals', string.format('%.0f', nowMs + ${RIVALS_MS}) .. ' ' .. rivals)
  end
  redis.call('HSET', KEYS[1], 'other', now .. ' ' .. server)
end
redis.call('HSET', KEYS[1], 'fresh', now .. ' ' .. (rivals and '0' or ARGV[7]) .. ' ' .. ARGV[8])
return { epoch, seq, rivals or '' }
`;

/** Begins a new epoch whatever the old one was: everything rendered before is suspect. -> [epoch, seq] */
export const BEGIN_EPOCH = `${ENSURE_EPOCH}
if epoch ~= ARGV[1] then begin() end
return { epoch, seq }
`;
