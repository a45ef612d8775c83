// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTPTypes

/// How fast a client has to be.
public struct ClientPace: Sendable {
  /// What may take any time: a body or an answer that is done within it is never too slow.
  public var grace: Duration
  /// The least mean speed after that, in bytes a second.
  public var bytesPerSecond: Int

  /// 30 seconds, then 16 KiB a second.
  public init(grace: Duration = .seconds(30), bytesPerSecond: Int = 16 << 10) {
    self.grace = grace
    self.bytesPerSecond = bytesPerSecond
  }

  fileprivate var tick: TimeAmount { TimeAmount(grace) }
}

/// A body that comes too slowly to be waited for.
struct TooSlow: Error {}

/// Ends the connections (of HTTP/2: the streams) of clients that send a body or take an answer too
/// slowly.
///
/// A slow body becomes an error to whoever reads it, who answers; one more grace later the
/// connection is closed. A slow answer closes it at once: nobody is there to be told.
final class PaceHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// Bytes on their way in one direction.
  private struct Transfer {
    let start: NIODeadline
    var bytes = 0
    /// Parts that were given to the channel and are not written yet.
    var pending = 0
  }

  private let pace: ClientPace
  private var body: Transfer?
  private var answer: Transfer?
  /// Requests that are not answered in full.
  private var unanswered = 0
  private var isGivenUp = false
  private var timer: Scheduled<Void>?

  init(_ pace: ClientPace) {
    self.pace = pace
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      unanswered += 1
      body = Transfer(start: context.eventLoop.now)
      schedule(context)
    case .body(let part): body?.bytes += part.readableBytes
    case .end: body = nil
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head: break
    case .body(let part):
      let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
      let bytes = part.readableBytes
      if answer == nil { answer = Transfer(start: context.eventLoop.now) }
      answer?.pending += 1
      promise.futureResult.assumeIsolated().whenComplete { [self] _ in
        answer?.bytes += bytes
        answer?.pending -= 1
        if answer?.pending == 0 { answer = nil }
      }
      schedule(context)
      context.write(data, promise: promise)
      return
    case .end:
      unanswered -= 1
      // The next body, sent ahead, was not read while this answer was in the making.
      if unanswered > 0, let body {
        self.body = Transfer(start: context.eventLoop.now, bytes: body.bytes)
      }
    }
    context.write(data, promise: promise)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
  }

  private func schedule(_ context: ChannelHandlerContext) {
    guard timer == nil else { return }
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: pace.tick) { [self] in
      timer = nil
      look(context)
    }
  }

  private func look(_ context: ChannelHandlerContext) {
    let now = context.eventLoop.now
    if isGivenUp || isTooSlow(answer, now) {
      context.close(promise: nil)
      return
    }
    // A body behind an unanswered request waits for this server, not for the client.
    if unanswered <= 1, isTooSlow(body, now) {
      isGivenUp = true
      context.fireErrorCaught(TooSlow())
    }
    if body != nil || answer != nil { schedule(context) }
  }

  private func isTooSlow(_ transfer: Transfer?, _ now: NIODeadline) -> Bool {
    guard let transfer else { return false }
    let elapsed = now - transfer.start
    let due = Double(elapsed.nanoseconds) / 1e9 * Double(pace.bytesPerSecond)
    return elapsed >= pace.tick && Double(transfer.bytes) < due
  }
}
