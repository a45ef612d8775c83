// SPDX-License-Identifier: Apache-2.0
private import CSodium

#if canImport(Glibc)
  private import Glibc
#else
  private import Darwin
#endif

/// Keeps this process's memory out of core dumps and out of other processes' reach.
///
/// Call first thing in a program that will hold keys. Sets `RLIMIT_CORE` to 0 and, on Linux,
/// `PR_SET_DUMPABLE` to 0, so that neither a crash nor another process of the user can read it; and
/// lets crashes just end the process. Swift's runtime would start a program that writes registers, and
/// the memory that they point to, to standard error; it keeps a crashed process that is not dumpable
/// from ending.
///
/// - Returns: Whether the system did both, by its own word after; a program that is told no stops.
public func hardenProcess() -> Bool {
  var none = rlimit(rlim_cur: 0, rlim_max: 0)
  #if canImport(Glibc)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
  #else
    _ = unsafe setrlimit(RLIMIT_CORE, &none)
  #endif
  _ = vault_set_not_dumpable()
  for crash in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
    signal(crash, SIG_DFL)
  }
  return isHardened
}

/// Whether this process leaves no core dump, and other processes of the user cannot read it.
var isHardened: Bool {
  var limit = rlimit(rlim_cur: 1, rlim_max: 1)
  #if canImport(Glibc)
    let status = unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
  #else
    let status = unsafe getrlimit(RLIMIT_CORE, &limit)
  #endif
  return status == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0 && vault_is_dumpable() == 0
}
