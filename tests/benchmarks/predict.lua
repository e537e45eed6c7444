-- Posts one body again and again, and compares the numbers of every answer with what they have to be.
-- wrk -s predict.lua URL -- BODY_FILE PATTERN EXPECTED_FILE TOLERANCE
-- BODY_FILE has a body a line: each of wrk's threads posts another one.
-- PATTERN captures the part of an answer that holds the numbers; EXPECTED_FILE has a number a line.
-- The last line that is printed is JSON for tests/benchmarks/wrk.py.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

local function read(name)
  local file = assert(io.open(name, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  local bodies = {}
  for body in read(args[1]):gmatch("[^\n]+") do
    table.insert(bodies, body)
  end
  wrk.body = bodies[(number - 1) % #bodies + 1]
  post = wrk.format()
  pattern = args[2]
  expected = {}
  for number in read(args[3]):gmatch("%S+") do
    table.insert(expected, tonumber(number))
  end
  tolerance = tonumber(args[4])
  wrong = 0
  example = ""
  right_before = nil
end

function request()
  return post
end

local function is_right(body)
  local numbers = body:match(pattern)
  if not numbers then
    return false
  end
  local count = 0
  for text in numbers:gmatch("[^%s,%[%]]+") do
    count = count + 1
    local number = tonumber(text)
    if not (number and expected[count] and math.abs(number - expected[count]) <= tolerance) then
      return false
    end
  end
  return count == #expected
end

function response(status, headers, body)
  if status == 200 and body == right_before then
    return -- the very bytes that were right before: the load generator is to leave the cores to the servers
  end
  if status == 200 and is_right(body) then
    right_before = body
    return
  end
  wrong = wrong + 1
  if example == "" then
    example = status .. " " .. body:sub(1, 200)
  end
end

function done(summary, latency, requests)
  local wrongs, shown = 0, ""
  for _, thread in ipairs(threads) do
    wrongs = wrongs + thread:get("wrong")
    if shown == "" then
      shown = thread:get("example")
    end
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local numbers = {
    { "requests", summary.requests },
    { "seconds", summary.duration / 1e6 },
    { "wrong", wrongs },
    { "errors", broken },
    { "p50_ms", latency:percentile(50) / 1000 },
    { "p90_ms", latency:percentile(90) / 1000 },
    { "p99_ms", latency:percentile(99) / 1000 },
    { "max_ms", latency.max / 1000 },
  }
  local fields = {}
  for _, each in ipairs(numbers) do
    table.insert(fields, string.format('"%s": %.6f', each[1], each[2]))
  end
  shown = shown:gsub('[%c"\\]', "'")
  table.insert(fields, string.format('"example": "%s"', shown))
  io.write("\n{", table.concat(fields, ", "), "}\n")
end
