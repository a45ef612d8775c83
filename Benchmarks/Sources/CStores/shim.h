// SPDX-License-Identifier: Apache-2.0
#include <libpq-fe.h>
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast that Swift cannot import; the bytes outlive the step, so none is needed.
static inline int bare_bind(sqlite3_stmt *statement, int index, const void *bytes, int count) {
  return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_STATIC);
}
