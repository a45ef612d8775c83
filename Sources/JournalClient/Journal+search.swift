// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
public import KeyFlow
import Sodium
import Synchronization

/// What a search found.
public struct SearchResult: Equatable, Sendable {
  /// How many entries hold all the terms.
  public let total: Int
  /// The first of them, newest first.
  public let hits: [SearchHit]
}

/// An entry that a search found.
public struct SearchHit: Identifiable, Equatable, Sendable {
  /// The entry's id.
  public var id: ObjectID { summary.id }
  /// The entry as a list shows it.
  public let summary: EntrySummary
  /// The line in which the first term stands, cut to about 160 characters; empty where it stands
  /// in the title or the tags alone.
  public let excerpt: String
}

extension Journal {
  /// Entries whose title, text or tags hold every term of `query`; case and diacritics do not
  /// count, words in quotes are one term.
  ///
  /// Opens the search text in memory, on two threads; nothing of it reaches the disk in the clear.
  ///
  /// - Throws: `locked`, `badInput` for an empty query, and what SQLite says.
  public func search(_ query: String, limit: Int? = nil) throws(JournalError) -> SearchResult {
    let needles = Needle.terms(of: query)
    guard !needles.isEmpty else { throw .badInput("nothing to search for") }
    let keys = try keys.unlocked()
    let catalog = try catalog()
    let found = try matches(of: needles, in: catalog, keys)
    let places = catalog.places { item, _ in found[item.id] == item.stamp }
    let summaries = catalog.summaries(of: places, limit: limit, oldestFirst: false)
    let hits = try store.read { (store) throws(JournalError) -> [SearchHit] in
      var hits: [SearchHit] = []
      for summary in summaries {
        let entry = try store.current(summary.id).flatMap { try? $0.sealed.open(with: keys) }
        let text = entry.flatMap { Entry($0) }?.content ?? ""
        hits.append(SearchHit(summary: summary, excerpt: Excerpt.make(of: text, needles[0])))
      }
      return hits
    }
    return SearchResult(total: places.count, hits: hits)
  }

  /// The records whose text holds all of `needles`, with the stamp that the text is of.
  private func matches(
    of needles: [Needle], in catalog: Catalog, _ keys: UnlockedKeys
  ) throws(JournalError) -> [ObjectID: Int64] {
    let search = Matching(needles: needles)
    // The packs are read one after another; the others are opened and looked through meanwhile.
    let group = DispatchGroup()
    let workers = DispatchQueue(label: "journal.search", attributes: .concurrent)
    let slots = DispatchSemaphore(value: 4)
    var damaged = false
    for text in catalog.newText { search.look(through: text) }
    for pack in catalog.packs {
      if let opened = keys.text(of: pack) {
        workers.async(group: group) { search.look(through: opened) }
        continue
      }
      let sealed = try store.read { (store) throws(JournalError) in
        try store.sealedItem(pack.name)
      }
      guard let sealed, sealed.oid == pack.oid else {
        damaged = true
        break
      }
      slots.wait()
      workers.async(group: group) {
        defer { slots.signal() }
        guard let text = keys.openText(sealed.blob, of: pack) else {
          search.isDamaged.store(true, ordering: .relaxed)
          return
        }
        search.look(through: text)
      }
    }
    group.wait()
    if damaged || search.isDamaged.load(ordering: .relaxed) {
      // Another process stored the catalog anew meanwhile, or an item is damaged: go by the records.
      return try matchesByRecord(of: needles, keys)
    }
    var found = search.found.withLock { $0 }
    for (id, stamp) in search.tooLong.withLock({ $0 }) {
      let current = try store.read { (store) throws(JournalError) in try store.current(id) }
      let record = current.flatMap { try? $0.sealed.open(with: keys) }
      guard let entry = record.flatMap({ Entry($0) }) else { continue }
      let text = SearchText.folded(entry).span
      if needles.allSatisfy({ $0.first(in: text, 0..<text.count) != nil }) { found[id] = stamp }
    }
    return found
  }

  /// The slow way, which needs no search text.
  private func matchesByRecord(
    of needles: [Needle], _ keys: UnlockedKeys
  ) throws(JournalError) -> [ObjectID: Int64] {
    var found: [ObjectID: Int64] = [:]
    var stamp: Int64 = 0
    while true {
      let after = stamp
      let changes = try store.read { (store) throws(JournalError) in
        Self.opened(try store.changed(after: after, limit: 500), keys).changes
      }
      guard let last = changes.last else { return found }
      stamp = last.stamp
      for change in changes where change.entry != nil {
        let text = change.text.span
        if needles.allSatisfy({ $0.first(in: text, 0..<text.count) != nil }) {
          found[change.id] = change.stamp
        }
      }
    }
  }
}

/// One search while it runs on several threads.
private final class Matching: Sendable {
  let needles: [Needle]
  let found = Mutex<[ObjectID: Int64]>([:])
  let tooLong = Mutex<[ObjectID: Int64]>([:])
  let isDamaged = Atomic<Bool>(false)

  init(needles: [Needle]) {
    self.needles = needles
  }

  func look(through pack: Plaintext) {
    var hits: [(ObjectID, Int64)] = []
    var long: [(ObjectID, Int64)] = []
    pack.bytes.withBytes { bytes in
      var place = 0
      while let item = SearchText.item(in: bytes, at: place) {
        if let text = item.text {
          if needles.allSatisfy({ $0.first(in: bytes, text) != nil }) {
            hits.append((item.id, item.stamp))
          }
        } else {
          long.append((item.id, item.stamp))
        }
        place = item.end
      }
    }
    // A record that changed stands in several packs; the newest text is the one that counts.
    if !hits.isEmpty {
      found.withLock { found in
        for (id, stamp) in hits { found[id] = max(found[id] ?? 0, stamp) }
      }
    }
    if !long.isEmpty {
      tooLong.withLock { tooLong in
        for (id, stamp) in long { tooLong[id] = max(tooLong[id] ?? 0, stamp) }
      }
    }
  }
}

extension UnlockedKeys {
  /// A pack's text, where this process has opened it already.
  func text(of pack: CatalogPack) -> Plaintext? {
    texts.withLock { $0[pack.oid] }
  }

  /// Opens a pack's text and keeps it for the next search, for as long as the keys are unlocked.
  func openText(_ blob: Data, of pack: CatalogPack) -> Plaintext? {
    guard
      let content = try? keyring.open(
        blob.span, .localItem, oid: pack.oid, revision: nil, uid: uid)
    else { return nil }
    let text = Plaintext(content)
    texts.withLock { $0[pack.oid] = text }
    return text
  }

  /// Forgets texts that are no part of `catalog` any more.
  func dropTexts(except catalog: Catalog) {
    let current = Set(catalog.packs.map(\.oid))
    texts.withLock { texts in texts = texts.filter { current.contains($0.key) } }
  }
}

/// The line around a hit.
enum Excerpt {
  /// The line of `text` in which `needle` stands first, cut to about 160 characters around it.
  static func make(of text: String, _ needle: Needle) -> String {
    for line in text.split(whereSeparator: \.isNewline) {
      let folded = Folding.fold(String(line))
      guard let place = needle.first(in: folded.span, 0..<folded.count) else { continue }
      guard line.count > 160 else { return String(line) }
      // Folding keeps lengths but for a few characters: near enough for a cut.
      let hit = String(decoding: folded[..<place], as: UTF8.self).count
      let start = max(0, min(hit - 60, line.count - 160))
      let cut = line.dropFirst(start).prefix(160)
      return (start > 0 ? "…" : "") + cut + (start + 160 < line.count ? "…" : "")
    }
    return ""
  }
}
