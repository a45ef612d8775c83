// SPDX-License-Identifier: Apache-2.0

/// What `NOTIFY channel, 'payload'` says.
public struct Notification: Sendable, Equatable {
  /// The channel's name.
  public let channel: String
  /// The payload; empty if there was none.
  public let payload: String
}
