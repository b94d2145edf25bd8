/// How many machines of a substrate load now, and how many wait for their turn.
package struct BootQueue: Hashable, Sendable {
    package let substrate: String
    package let loading: Int
    package let waiting: Int

    package init(substrate: String, loading: Int, waiting: Int) {
        self.substrate = substrate
        self.loading = loading
        self.waiting = waiting
    }
}
