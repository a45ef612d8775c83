// SPDX-License-Identifier: Apache-2.0
private import CPQ
private import Glibc

/// Linux's epoll with a bell: each function is one system call.
struct Epoll: Sendable {
  static let readable = EPOLLIN.rawValue
  static let writable = EPOLLOUT.rawValue

  private let epoll: Int32
  private let bell: Int32

  /// The number under which the bell is entered.
  static let bellID: UInt64 = 0

  init() {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    precondition(epoll >= 0 && bell >= 0, "no file descriptor left to wait for PostgreSQL with")
    let entered = control(EPOLL_CTL_ADD, bell, id: Epoll.bellID, events: Epoll.readable)
    precondition(entered, "epoll refused an eventfd")
  }

  /// Arms a socket for one event, entering it the first time; false where epoll refuses it.
  func arm(_ socket: Int32, id: UInt64, events: UInt32) -> Bool {
    let events = events | EPOLLONESHOT.rawValue
    return control(EPOLL_CTL_MOD, socket, id: id, events: events)
      || control(EPOLL_CTL_ADD, socket, id: id, events: events)
  }

  private func control(_ operation: Int32, _ socket: Int32, id: UInt64, events: UInt32) -> Bool {
    var event = unsafe epoll_event()
    unsafe event.events = events
    unsafe event.data.u64 = id
    return unsafe epoll_ctl(epoll, operation, socket, &event) == 0
  }

  /// The numbers of the sockets that are ready, after `milliseconds` at most; -1 is for ever.
  func wait(milliseconds: Int32) -> [UInt64] {
    unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
      let count = unsafe epoll_wait(epoll, events.baseAddress, Int32(events.count), milliseconds)
      return (0..<max(0, Int(count))).map { unsafe events[$0].data.u64 }
    }
  }

  /// Ends a ``wait(milliseconds:)`` early.
  func ring() { eventfd_write(bell, 1) }

  /// Makes the bell silent again.
  func silence() {
    var rung: eventfd_t = 0
    _ = unsafe eventfd_read(bell, &rung)
  }
}
