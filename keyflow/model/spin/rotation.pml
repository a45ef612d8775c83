// SPDX-License-Identifier: Apache-2.0
/* Rotation (SPEC 8.4 step 5): a thief holds the key of epoch 0 and works with the server. Device 0
   rotates to epoch 1; device 1 learns the new key at its next login.

   Flags:
     EPOCH  the device refuses a newest head of a lower epoch than its newest key's (the design);
            without it an error must be found
     REACH  asserts that the thief is never believed; must fail: a device that has not logged in
            since the rotation stays deceivable, as SPEC section 13 says
     NH     how many heads exist at most (default 6)
   check: -DEPOCH holds
   check: fails
   check: -DEPOCH -DREACH fails
*/
#ifndef NH
#define NH 6
#endif

byte parent[NH]; byte epoch[NH]; bool stolen[NH]; byte nheads = 1;
byte pin[2]; byte held[2];          /* each device's pin and newest epoch */
bool rotated = false;
byte first = 0;                     /* first head of epoch 1 */
byte at;

inline descends(hi, lo, res) {
  at = hi; res = 0;
  do
  :: (at == lo) -> res = 1; break
  :: (at != lo && at == 0) -> break
  :: (at != lo && at != 0) -> at = parent[at]
  od;
  at = 0
}

inline append(base, e, forged) {
  parent[nheads] = base; epoch[nheads] = e; stolen[nheads] = forged; nheads++
}

active [2] proctype Device() {
  byte h; bool ok;
  do
  :: atomic {                                     /* the server shows some head */
       select(h : 0 .. (NH - 1)); ok = 0;
       if
       :: (h < nheads && epoch[h] <= held[_pid]) -> descends(h, pin[_pid], ok)
       :: else
       fi;
#ifdef EPOCH
       if :: (ok && epoch[h] < held[_pid]) -> ok = 0 :: else fi;
#endif
       if
       :: ok -> pin[_pid] = h;
          /* who holds the new key believes no head that the old key wrote after the rotation */
          assert(!(held[_pid] == 1 && stolen[h] && epoch[h] == 0));
#ifdef REACH
          assert(!stolen[h]);
#endif
       :: else
       fi;
       h = 0; ok = 0
     }
  :: atomic {                                     /* the device writes on its own pin */
       (nheads < NH && epoch[pin[_pid]] == held[_pid]) ->
       append(pin[_pid], held[_pid], 0); pin[_pid] = nheads - 1
     }
  :: atomic {                                     /* device 0 rotates: first head of epoch 1 */
       (_pid == 0 && !rotated && nheads < NH) ->
       append(pin[0], 1, 0); first = nheads - 1;
       pin[0] = first; held[0] = 1; rotated = true
     }
  :: atomic {                                     /* device 1 logs in and opens the new slot */
       (_pid == 1 && rotated && held[1] == 0) -> held[1] = 1
     }
  od
}

active proctype Thief() {                         /* appends to any head with the old key */
  byte h;
  do
  :: atomic {
       (rotated && nheads < NH) ->
       select(h : 0 .. (NH - 1));
       if :: (h < nheads) -> append(h, 0, 1) :: else fi;
       h = 0
     }
  od
}
