#include <libpq-fe.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Macros of characters are not imported into Swift. */
static const int VAULT_PG_DIAG_SQLSTATE = PG_DIAG_SQLSTATE;
static const int VAULT_PG_DIAG_CONSTRAINT_NAME = PG_DIAG_CONSTRAINT_NAME;
