-- The failed logins of one address: the rules of ledger.rs, in one turn that nothing comes between.
-- KEYS: the ledger. ARGV: admit, fail, withdraw or look; now; failures that are free; the window; the longest wait; the factor
-- of the hourly cap; an hour; the lease. Times are microseconds.
-- Answers to admit 0 (open), 1 (closed) or 2 (busy); to fail 1 when the owner should be told, else 0.
local key, operation = KEYS[1], ARGV[1]
local now, free, window, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local most, hour, lease = tonumber(ARGV[6]) * free, tonumber(ARGV[7]), tonumber(ARGV[8])
local names = { 'failures', 'last', 'hourly', 'hour', 'wait_until', 'pending', 'lease_until', 'told' }
local stored = redis.call('HMGET', key, unpack(names))
local ledger = {}
for i, name in ipairs(names) do
  ledger[name] = tonumber(stored[i] or 0)
end

local function fail(count)
  ledger.failures = ledger.failures + count
  ledger.hourly = ledger.hourly + count
  ledger.last = now
  if ledger.failures < free then
    return 0
  end
  ledger.wait_until = now + math.min(1000000 * 2 ^ math.min(ledger.failures - free, 20), longest)
  if ledger.told == 0 or now - ledger.told >= hour then
    ledger.told = now
    return 1
  end
  return 0
end

ledger.last = math.min(ledger.last, now)
ledger.hour = math.min(ledger.hour, now)
ledger.told = math.min(ledger.told, now)
ledger.wait_until = math.min(ledger.wait_until, now + longest)
ledger.lease_until = math.min(ledger.lease_until, now + lease)
if ledger.pending > 0 and now >= ledger.lease_until then
  local lost = ledger.pending
  ledger.pending = 0
  fail(lost)
end
if now - math.max(ledger.last, ledger.wait_until) >= window then
  ledger.failures = 0
end
if now - ledger.hour >= hour then
  ledger.hourly = 0
  ledger.hour = now
end

local answer = 0
if operation == 'admit' then
  if ledger.wait_until > now or ledger.hourly >= most then
    answer = 1
  elseif ledger.pending > 0 and (ledger.failures + ledger.pending >= free or ledger.hourly + ledger.pending >= most) then
    answer = 2
  else
    ledger.pending = ledger.pending + 1
    ledger.lease_until = now + lease
  end
elseif operation == 'fail' then
  ledger.pending = math.max(ledger.pending - 1, 0)
  answer = fail(1)
elseif operation == 'withdraw' then
  ledger.pending = math.max(ledger.pending - 1, 0)
end

local flat = {}
for _, name in ipairs(names) do
  flat[#flat + 1] = name
  flat[#flat + 1] = string.format('%.0f', ledger[name])
end
redis.call('HSET', key, unpack(flat))
redis.call('PEXPIRE', key, string.format('%.0f', math.max(hour, longest + window) / 1000))
return answer
