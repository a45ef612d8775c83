// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import VaultServer

/// Who sends or takes too slowly, on a clock set by hand.
@Suite struct PaceTests {
  private let pace = ClientPace(grace: .seconds(30), bytesPerSecond: 1_000)

  private func channel() throws -> EmbeddedChannel {
    let channel = EmbeddedChannel(handler: PaceHandler(pace))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    return channel
  }

  private let head = HTTPRequestPart.head(
    .init(method: .post, scheme: nil, authority: nil, path: "/"))
  private let answerHead = HTTPResponsePart.head(.init(status: .ok))

  private func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0, count: count) }

  /// Whether the reader of the body got an error since the last look.
  private func isFailed(_ channel: EmbeddedChannel) -> Bool {
    do {
      try channel.throwIfErrorCaught()
      return false
    } catch is TooSlow {
      return true
    } catch {
      return false
    }
  }

  @Test func `a body that stops coming fails its reader, and then the connection`() throws {
    let channel = try channel()
    try channel.writeInbound(head)
    try channel.writeInbound(HTTPRequestPart.body(bytes(29_999)))
    channel.embeddedEventLoop.advanceTime(by: .seconds(29))
    #expect(!isFailed(channel))
    channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(isFailed(channel) && channel.isActive)
    channel.embeddedEventLoop.advanceTime(by: .seconds(30))
    #expect(!channel.isActive)
  }

  @Test func `a body at the least speed is waited for`() throws {
    let channel = try channel()
    try channel.writeInbound(head)
    for _ in 0..<10 {
      try channel.writeInbound(HTTPRequestPart.body(bytes(30_000)))
      channel.embeddedEventLoop.advanceTime(by: .seconds(30))
      #expect(!isFailed(channel))
    }
    channel.embeddedEventLoop.advanceTime(by: .seconds(30))
    #expect(isFailed(channel))
  }

  @Test func `a request that waits for its answer is not slow`() throws {
    let channel = try channel()
    try channel.writeInbound(head)
    try channel.writeInbound(HTTPRequestPart.end(nil))
    // Nor is a body behind it, which is not being read.
    try channel.writeInbound(head)
    channel.embeddedEventLoop.advanceTime(by: .seconds(600))
    #expect(!isFailed(channel) && channel.isActive)
    try channel.writeOutbound(answerHead)
    try channel.writeOutbound(HTTPResponsePart.end(nil))
    channel.embeddedEventLoop.advanceTime(by: .seconds(29))
    #expect(!isFailed(channel))
    channel.embeddedEventLoop.advanceTime(by: .seconds(31))
    #expect(isFailed(channel))
  }

  @Test func `an answer that is not taken ends the connection`() throws {
    let channel = try channel()
    try channel.writeInbound(head)
    try channel.writeInbound(HTTPRequestPart.end(nil))
    channel.write(answerHead, promise: nil)
    // What is not flushed stays with the channel, as what a full socket does not take.
    channel.write(HTTPResponsePart.body(bytes(10)), promise: nil)
    channel.embeddedEventLoop.advanceTime(by: .seconds(29))
    #expect(channel.isActive)
    channel.embeddedEventLoop.advanceTime(by: .seconds(31))
    #expect(!channel.isActive)
  }

  @Test func `an answer that was taken does not`() throws {
    let channel = try channel()
    for _ in 0..<3 {
      try channel.writeInbound(head)
      try channel.writeInbound(HTTPRequestPart.end(nil))
      try channel.writeOutbound(answerHead)
      try channel.writeOutbound(HTTPResponsePart.body(bytes(10)))
      try channel.writeOutbound(HTTPResponsePart.end(nil))
      channel.embeddedEventLoop.advanceTime(by: .seconds(600))
      #expect(channel.isActive && !isFailed(channel))
    }
  }
}
