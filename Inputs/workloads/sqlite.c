// A session with an in-memory SQLite database: DDL, a recursive query, an index, grouping, JSON, dates, an integrity check.
#include <sqlite3.h>
#include <stdio.h>

static int row(void *rows, int columns, char **values, char **names) {
  ++*(int *)rows;
  for (int i = 0; i < columns; i++)
    printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
  puts("");
  return 0;
}

static const char *const statements[] = {
    "create table numbers(id integer primary key, name text, value real)",
    "with recursive counter(n) as (select 1 union all select n + 1 from counter where n < 20000) "
    "insert into numbers select n, 'name' || (n % 97), n * 1.5 from counter",
    "create index by_name on numbers(name)",
    "select count(distinct name) || ' groups' from numbers",
    "select name, count(*), round(avg(value), 3), max(value) from numbers group by name order by name limit 5",
    "select sum(value), group_concat(name) from (select value, name from numbers where id % 4999 = 0)",
    "select json_extract('{\"list\":[1,2,{\"deep\":42}]}', '$.list[2].deep'), printf('%08.3f', 3.14159), "
    "strftime('%Y-%m-%d', 86400 * 365, 'unixepoch')",
    "delete from numbers where id % 3 = 0",
    "select count(*), total(value) from numbers where name between 'name2' and 'name5'",
    "pragma integrity_check",
};

int main(void) {
  sqlite3 *database;
  int rows = 0;
  if (sqlite3_open(":memory:", &database) != SQLITE_OK)
    return 1;
  for (unsigned i = 0; i < sizeof statements / sizeof *statements; i++) {
    char *error = 0;
    if (sqlite3_exec(database, statements[i], row, &rows, &error) != SQLITE_OK) {
      printf("error: %s\n", error);
      return 2;
    }
  }
  printf("%d rows\n", rows);
  sqlite3_close(database);
  return 0;
}
