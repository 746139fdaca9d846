-- Appends to a ledger stream; on a repeat, only when the newest entries do not hold it already.
-- KEYS[1] stream
-- ARGV: 1 MAXLEN (approximate)  2 "1" when an earlier try may have been carried out
--       3 how many of the newest entries to look at  4.. field, value pairs
-- Returns the entry id, or "" when it was there
if ARGV[2] == "1" then
  for _, entry in ipairs(redis.call("XREVRANGE", KEYS[1], "+", "-", "COUNT", ARGV[3])) do
    local same = #entry[2] == #ARGV - 3
    for i = 1, #entry[2] do
      same = same and entry[2][i] == ARGV[i + 3]
    end
    if same then
      return ""
    end
  end
end
return redis.call("XADD", KEYS[1], "MAXLEN", "~", ARGV[1], "*", unpack(ARGV, 4))
