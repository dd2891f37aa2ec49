// A Lua that opens a module written in C, which calls back functions of Lua's that the program defines. The argument is where modules are.
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#ifdef MODULE
static int add(lua_State *state) {
  lua_pushinteger(state, luaL_checkinteger(state, 1) + luaL_checkinteger(state, 2));
  return 1;
}
static int fail(lua_State *state) { return luaL_error(state, "failed in %s", "C"); }
static const luaL_Reg functions[] = {{"add", add}, {"fail", fail}, {0, 0}};
int luaopen_module(lua_State *state) {
  luaL_newlib(state, functions);
  return 1;
}
#else
int main(int argc, char **argv) {
  lua_State *state = luaL_newstate();
  luaL_openlibs(state);
  lua_pushstring(state, argv[1]);
  lua_setglobal(state, "path");
  if (luaL_dostring(state, "package.cpath = path; local module = require 'module'; print(module.add(3, 4), pcall(module.fail))"))
    puts(lua_tostring(state, -1));
  lua_close(state);
  return 2;
}
#endif
