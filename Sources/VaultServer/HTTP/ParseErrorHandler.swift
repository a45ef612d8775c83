// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import VaultProtocol

/// Answers what is no HTTP with a problem of the contract, where no other answer is on its way.
///
/// The framework, which hears of it next, would answer without a body: what it writes is left out,
/// and that it ends the connection is not.
final class ParseErrorHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private var isAnswering = false
  private var isOver = false

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if isOver {
      promise?.succeed()
      return
    }
    switch unwrapOutboundIn(data) {
    case .head: isAnswering = true
    case .body: break
    case .end: isAnswering = false
    }
    context.write(data, promise: promise)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is HTTPParserError, !isAnswering, !isOver {
      isOver = true
      let (status, fields, body) = ProblemResponse(.malformed).content
      var headers = fields
      headers.shut()
      headers[.connection] = "close"
      headers[.contentLength] = String(body.readableBytes)
      let head = HTTPResponse(status: status, headerFields: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(body)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    context.fireErrorCaught(error)
  }
}
