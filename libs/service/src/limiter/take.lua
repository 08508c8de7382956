-- Takes one from each bucket, or nothing when one of them is empty. Answers how long to wait, in microseconds; 0 when
-- taken. The generic cell rate algorithm: a bucket is one number, the instant at which it is full again.
-- KEYS: the buckets. ARGV: now, then for each bucket the microseconds in which one comes back and the most it holds.
local now = tonumber(ARGV[1])
local wait = 0
local full = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local full_at = tonumber(redis.call('GET', key) or now)
  -- What lies further ahead than the clocks of replicas may differ was written before the clock was set back.
  if full_at < now or full_at > now + 2 * interval * burst then
    full_at = now
  end
  wait = math.max(wait, full_at - now - interval * (burst - 1))
  full[i] = full_at + interval
end
if wait > 0 then
  return wait
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', full[i]), 'PX', string.format('%.0f', math.ceil((full[i] - now) / 1000)))
end
return 0
