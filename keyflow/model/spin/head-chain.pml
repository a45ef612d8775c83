// SPDX-License-Identifier: Apache-2.0
/* The head chain of SPEC section 8: two honest devices and one malicious server, which may show a
   device ANY authentic head that it ever received (rollback, freeze, fork).

   A head has a seq and a parent (its prev). A device pins the last head it accepted.
   Flags:
     PIN    the device accepts only descendants of its pin (the design); without it an error
            must be found
     REACH  asserts that the devices never fork; must fail, or the proof would be empty
     NH     how many heads exist at most (default 6)
   check: -DPIN -DNH=9 holds
   check: fails
   check: -DPIN -DREACH fails
*/
#ifndef NH
#define NH 6
#endif

byte parent[NH]; byte seq[NH]; byte nheads = 1;   /* head 0 is the first */
byte pin[2];
bool forked = false;
byte at;

/* res: hi is lo or descends from it */
inline descends(hi, lo, res) {
  at = hi; res = 0;
  do
  :: (at == lo) -> res = 1; break
  :: (at != lo && at == 0) -> break
  :: (at != lo && at != 0) -> at = parent[at]
  od;
  at = 0
}

/* Fork consistency: devices once forked are never silently joined again. */
inline check() {
  descends(pin[0], pin[1], ra); descends(pin[1], pin[0], rb);
  if :: (!ra && !rb) -> forked = true :: else fi;
#ifdef REACH
  assert(!forked);
#endif
  assert(!(forked && (ra || rb)))
}

active [2] proctype Device() {
  byte h; bool ok; byte old; bool ra; bool rb;
  do
  :: atomic {                                     /* the server shows some head */
       select(h : 0 .. (NH - 1)); old = pin[_pid]; ok = 0;
       if
       :: (h < nheads) ->
#ifdef PIN
          descends(h, old, ok)
#else
          ok = 1
#endif
       :: else
       fi;
       if
       :: ok -> pin[_pid] = h; assert(seq[h] >= seq[old]); descends(h, old, ra); assert(ra); check()
       :: else
       fi;
       h = 0; old = 0; ok = 0; ra = 0; rb = 0
     }
  :: atomic {                                     /* the device writes on its own pin */
       (nheads < NH) ->
       parent[nheads] = pin[_pid]; seq[nheads] = seq[pin[_pid]] + 1;
       pin[_pid] = nheads; nheads++; check(); ra = 0; rb = 0
     }
  od
}
