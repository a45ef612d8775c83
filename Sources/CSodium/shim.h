#include <sodium.h>

/* prctl is variadic and so not imported into Swift. */
#ifdef __linux__
#include <sys/prctl.h>
static inline int vault_set_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int vault_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }
#else
static inline int vault_set_not_dumpable(void) { return 0; }
static inline int vault_is_dumpable(void) { return 0; }
#endif
