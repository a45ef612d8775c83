// SPDX-License-Identifier: Apache-2.0
import Migrations
import Sodium
import Testing
import VaultProtocol

@Suite struct MigrationTests {
  @Test(
    arguments: Migrations.serverSQLite + Migrations.serverPostgreSQL + Migrations.localSQLite)
  func `a step's text is the one whose checksum was written down`(step: Migration) {
    #expect(Hex.encode(SHA512.hash32(Array(step.sql.utf8).span)) == step.checksum)
  }

  @Test(
    arguments: [
      Migrations.serverSQLite, Migrations.serverPostgreSQL, Migrations.localSQLite,
    ])
  func `steps are numbered from 1 without a gap`(steps: [Migration]) {
    #expect(steps.map(\.number) == Array(1...steps.count))
  }
}
