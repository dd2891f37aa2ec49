// A Lua script: recursion, string formatting, errors caught by pcall (longjmp), coroutines, sorting, garbage collection.
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdio.h>

static const char script[] =
    "local function fibonacci(n) if n < 2 then return n end return fibonacci(n - 1) + fibonacci(n - 2) end\n"
    "print('fibonacci ' .. fibonacci(22), string.format('%5.2f', math.pi))\n"
    "local ok, e = pcall(function() error({code = 42}) end)\n"
    "print(ok, e.code, select(2, pcall(error, 'text', 0)))\n"
    "local squares = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)\n"
    "print(squares(), squares(), squares())\n"
    "local words = {}\n"
    "for word in ('the quick brown fox'):gmatch('%a+') do words[#words + 1] = word end\n"
    "table.sort(words) print(table.concat(words, ','))\n"
    "local garbage for i = 1, 20000 do garbage = {i, tostring(i)} end collectgarbage() print(garbage[1], garbage[2])\n";

int main(void) {
  lua_State *state = luaL_newstate();
  luaL_openlibs(state);
  if (luaL_dostring(state, script)) {
    printf("error: %s\n", lua_tostring(state, -1));
    return 1;
  }
  lua_close(state);
  return 7;
}
